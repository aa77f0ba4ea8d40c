"""The pages for people: a shell for each, and the modules, styles and libraries that it loads."""
