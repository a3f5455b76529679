"""The pages of docs/concepts, one a concept, from the module documentation and settings of the Rust core."""
