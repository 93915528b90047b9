"""Catalogues in and out: Open Referral UK, its parent HSDS, and spreadsheets."""
