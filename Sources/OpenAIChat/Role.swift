enum Role {}
