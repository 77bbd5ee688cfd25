"""What people and machines read: tables, verdict files, explanations."""
