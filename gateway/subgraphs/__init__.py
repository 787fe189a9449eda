"""One room for each service: what it contributes to the graph. No room imports another."""
