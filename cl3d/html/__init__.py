"""Pieces of HTML pages: escaped markup, colours, a viewer of clouds; no data set or run is known here."""
