"""Watch jobs: live state, predicted verdict, and diagnosis of a dead job."""
