import ArgumentParser
@main struct LCPGateway: ParsableCommand {}
