"""Floor 5: the front door. One small module per `./run.sh` command; it parses, calls and prints."""
