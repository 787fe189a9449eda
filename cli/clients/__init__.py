"""How the command talks to a running platform: gRPC for imports, GraphQL for broadcasts."""
