"""Reports: what a run's folder holds as one page that opens in a browser."""
