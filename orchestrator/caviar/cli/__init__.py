"""The `caviar` program. One file a verb; nothing heavy is imported before a verb needs it."""
