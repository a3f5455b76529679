"""From data files to a signed bundle: dataset, folds, evaluation, card and report."""
