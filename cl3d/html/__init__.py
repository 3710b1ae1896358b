"""Pieces of HTML pages: escaped markup, colours, a viewer of point clouds; no data set or run is known here."""
