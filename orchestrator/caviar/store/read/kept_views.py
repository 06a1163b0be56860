"""Views for who asks many questions about one moment."""

from caviar.store.read.views import Views


class KeptViews(Views):
    """Views whose rows of trials are read once a moment, and kept in memory until the next `refresh`.

    While a sweep runs, each question about trials is one to hundreds of small files. Curves stay where they are.
    """

    _in_memory = ("trials", "attempts", "configs")
