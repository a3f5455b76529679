"""From data files to what models are fitted on: setups as rows, what became of them, and the tapes both came from."""
