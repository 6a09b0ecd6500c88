"""What the services need from the outside, as protocols and the values they speak."""
