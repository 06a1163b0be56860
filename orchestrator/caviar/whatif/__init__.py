"""What a stop policy would have done to sweeps that ran: stored curves, in other orders, through the real scheduler."""

from caviar.whatif.curves import Curves, curves_of, curves_of_table
from caviar.whatif.replay import Replayed, Rules, replay
from caviar.whatif.savings import Savings, savings

__all__ = ["Curves", "Replayed", "Rules", "Savings", "curves_of", "curves_of_table", "replay", "savings"]
