"""What broadcasts and deliveries are and how they move; knows no store, no wire, no clock."""
