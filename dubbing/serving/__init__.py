"""What every server of ours over HTTP shares: names of requests, the form of errors, listening."""
