"""The gateway: jobs, voices and speech over HTTP. It knows the client, as the command line does."""
