"""What in a message is a reason to put somebody first: the patterns of `channels.concern` plus a classifier."""
