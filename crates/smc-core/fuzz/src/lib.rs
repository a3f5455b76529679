//! What must hold for any bytes; the fuzz targets and, on its corpus, an ordinary test call it.

pub mod harness;
