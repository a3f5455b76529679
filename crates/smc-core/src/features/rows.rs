//! Rows that models see: a feature vector from a setup's side with the setup's own columns, scaled; and its largest parts.
//!
//! On single rows, where a call of an array library costs more than its arithmetic.

/// How a feature vector looks upside down: `offset[i] + sign[i] * row[index[i]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct RowMirror {
    index: Vec<usize>,
    sign: Vec<f64>,
    offset: Vec<f64>,
}

impl RowMirror {
    /// `None` unless all three are of one length and every index is a column.
    pub fn new(index: Vec<usize>, sign: Vec<f64>, offset: Vec<f64>) -> Option<Self> {
        let width = index.len();
        let fits = sign.len() == width && offset.len() == width && index.iter().all(|&column| column < width);
        fits.then_some(Self { index, sign, offset })
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.index.len()
    }

    /// Writes `row`, or its mirror image where `flipped`, to the front of `out`; both are as wide as this.
    pub fn write(&self, row: &[f64], flipped: bool, out: &mut [f64]) {
        if !flipped {
            out[..row.len()].copy_from_slice(row);
            return;
        }
        for ((value, &column), (sign, offset)) in
            out.iter_mut().zip(&self.index).zip(self.sign.iter().zip(&self.offset))
        {
            *value = offset + sign * row[column];
        }
    }
}

/// `(x - centre) * factor`, kept within `limit` of 0, as single precision; NaN stays NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct RowScaler {
    centre: Vec<f64>,
    factor: Vec<f64>,
    limit: f64,
}

impl RowScaler {
    /// `None` unless there are as many centres as factors.
    pub fn new(centre: Vec<f64>, factor: Vec<f64>, limit: f64) -> Option<Self> {
        (centre.len() == factor.len()).then_some(Self { centre, factor, limit })
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.centre.len()
    }

    /// Writes the scaled `row` to `out`; both are as wide as this.
    #[allow(clippy::cast_possible_truncation)]
    pub fn write(&self, row: &[f64], out: &mut [f32]) {
        for ((value, x), (centre, factor)) in out.iter_mut().zip(row).zip(self.centre.iter().zip(&self.factor)) {
            let scaled = (x - centre) * factor;
            // Not `clamp`, which asks the order of its bounds, nor `max` and `min`, which drop NaN.
            *value = if scaled < -self.limit {
                -self.limit
            } else if scaled > self.limit {
                self.limit
            } else {
                scaled
            } as f32;
        }
    }
}

/// Places of the `count` largest magnitudes, largest first, equal ones in their order; what is no number comes last.
pub fn largest(values: &[f64], count: usize) -> Vec<usize> {
    let size = |place: usize| if values[place].is_nan() { -1.0 } else { values[place].abs() };
    let mut found: Vec<usize> = Vec::with_capacity(count + 1);
    for place in 0..values.len() {
        let after = found.iter().rposition(|&other| size(other) >= size(place)).map_or(0, |last| last + 1);
        if after < count {
            found.insert(after, place);
            found.truncate(count);
        }
    }
    found
}
