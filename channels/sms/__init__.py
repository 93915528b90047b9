"""Text messages. One file per provider, each with the same two verbs: parse and send."""
