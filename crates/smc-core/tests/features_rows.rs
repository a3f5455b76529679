//! Single rows that models see: turned, scaled, searched.

use smc_core::features::{largest, RowMirror, RowScaler};

#[test]
fn a_mirror_turns_twice_into_what_was_there() -> Result<(), String> {
    let mirror = RowMirror::new(vec![1, 0, 2], vec![1.0, 1.0, -1.0], vec![0.0, 0.0, 1.0]).ok_or("no mirror")?;
    let (row, mut once, mut twice) = ([3.0, 5.0, 0.25], [0.0; 4], [0.0; 4]);
    mirror.write(&row, true, &mut once);
    assert_eq!(once, [5.0, 3.0, 0.75, 0.0]);
    mirror.write(&once[..3], true, &mut twice);
    assert_eq!(twice[..3], row);
    mirror.write(&row, false, &mut twice);
    assert_eq!(twice, [3.0, 5.0, 0.25, 0.0]);
    assert_eq!(mirror.width(), 3);
    Ok(())
}

#[test]
fn what_is_no_mirror_or_scaling_is_none() {
    assert_eq!(RowMirror::new(vec![2], vec![1.0], vec![0.0]), None);
    assert_eq!(RowMirror::new(vec![0], vec![], vec![0.0]), None);
    assert_eq!(RowScaler::new(vec![0.0], vec![], 5.0), None);
}

#[test]
fn scaled_values_are_kept_within_the_limit_and_no_number_stays_none() -> Result<(), String> {
    let scaler = RowScaler::new(vec![1.0; 4], vec![2.0; 4], 5.0).ok_or("no scaler")?;
    let mut out = [0.0_f32; 4];
    scaler.write(&[2.0, 100.0, f64::NEG_INFINITY, f64::NAN], &mut out);
    assert_eq!(out[..3], [2.0, 5.0, -5.0]);
    assert!(out[3].is_nan());
    assert_eq!(scaler.width(), 4);
    Ok(())
}

#[test]
fn the_largest_come_first_equal_ones_in_their_order_and_no_number_last() {
    assert_eq!(largest(&[0.1, -3.0, f64::NAN, 3.0, 2.0], 3), [1, 3, 4]);
    assert_eq!(largest(&[f64::NAN, 0.0], 5), [1, 0]);
    assert!(largest(&[1.0], 0).is_empty());
}
