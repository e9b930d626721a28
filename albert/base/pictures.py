"""Pictures: a matplotlib figure without a window and without global state."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from albert.base.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(**arguments: Any) -> Figure:
    """Makes a white figure; the arguments are those of matplotlib's Figure.

    Raises:
      UserError: matplotlib is missing.
    """
    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # it would log which fonts it finds
    try:
        from matplotlib.backends import backend_agg  # here: only pictures need it, and it takes a second
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError("matplotlib is missing: pip install -r requirements.txt brings it") from error

    figure = Figure(**arguments)
    backend_agg.FigureCanvasAgg(figure)  # no window, no global state
    figure.patch.set_facecolor("white")
    return figure
