//! What is particular to MongoDB and needs no server.
