"""Speed of Partitura beside its peers, in one run on one machine: `benches/run.sh` calls it."""
