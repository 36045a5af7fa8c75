//! Which optional kinds the API server serves.
