"""Every text that a person can read: gathered, held to the rules, and who with lived experience stands by it."""
