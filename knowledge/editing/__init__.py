"""How listings are kept true: accounts, drafts, reviews, publishing, checks of words, reports, freshness.

No page is drawn here: `knowledge.editor` does that. Everything is kept in the catalogue's database.
"""
