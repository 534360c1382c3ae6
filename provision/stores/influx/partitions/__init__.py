"""The windows of InfluxDB: shard groups of a tier, which the server makes and removes itself."""
