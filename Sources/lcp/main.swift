print(gitRevision)
