"""Everything of ours that runs inside Rasa's interpreter (Python 3.10). README.md says what each part is for."""
