"""What a page shows of one sweep, from the store alone: a head of documents, and columns of numbers."""
