import Foundation

/// What a document tells its reader to do, as one script for bash.
///
/// Pure. What a reader would start in a terminal of its own runs beside the rest; the script goes on
/// when it serves, as a reader would.
struct DocumentScript {
    /// What documents write and what stands here for it, the longer first.
    let stage: [(written: String, here: String)]
    /// The programs that run until they are told to end.
    let services: Set<String>

    private static let workers = ["lcp-provider", "lcp-requester", "lcp-compute"]

    /// The script of a document's blocks.
    func text(_ blocks: [DocumentBlock]) -> String {
        var text = Self.prologue
        let hasBridge = blocks.contains { $0.lines.contains { $0.hasPrefix("lcp-bridge ") } }
        if blocks.contains(where: \.wantsBridge), !hasBridge {
            text += command(
                "lcp-bridge --lnd-address localhost:10009 --lnd-tls-cert ~/.lnd/tls.cert "
                    + "--lnd-macaroon ~/.lnd/data/chain/bitcoin/mainnet/admin.macaroon "
                    + "--bus-dir /run/lcp --journal /var/lib/lcp/journal.sqlite"
            )
        }
        for block in blocks {
            text += "place 'line \(block.line)'\n"
            if let file = block.file {
                text += write(block, to: file)
            } else if block.language == "console" {
                text += session(block)
            } else {
                for line in Self.joined(block.lines) { text += command(line) }
            }
        }
        return text + "finish\n"
    }

    // MARK: - Blocks

    private func write(_ block: DocumentBlock, to file: String) -> String {
        let program = "lcp-" + (file.split(separator: "/").last?.split(separator: ".").first ?? "")
        let macaroon = "--lnd-macaroon ~/.lnd/data/chain/bitcoin/mainnet/admin.macaroon"
        let more = program == "lcp-bridge" ? " \(macaroon)" : ""
        return staged(
            "cat >\(file) <<'END'\n\(block.lines.joined(separator: "\n"))\nEND\n"
                + "\(program) config check --config \(file)\(more)\n"
        )
    }

    /// Each command's output is what follows it, where `…` stands for anything.
    private func session(_ block: DocumentBlock) -> String {
        var text = ""
        var expected: [String] = []
        func compare() {
            guard !text.isEmpty else { return }
            let pattern = expected.joined(separator: "\n").components(separatedBy: "…")
                .map { "'\($0.replacing("'", with: #"'\''"#))'" }.joined(separator: "*")
            text += #"[[ "$printed" == \#(pattern) ]] || fail "it printed: $printed""# + "\n"
            expected = []
        }
        for line in Self.joined(block.lines) {
            if line.hasPrefix("$ ") {
                compare()
                text += "printed=$(\(staged(String(line.dropFirst(2)))))\n"
            } else {
                expected.append(line)
            }
        }
        compare()
        return text
    }

    /// One command of a block.
    private func command(_ line: String) -> String {
        let plain = staged(line)
        let words = plain.split(separator: " ").map(String.init)
        // `LCP_BUS_DIR=/run/lcp python worker.py &`
        let program = words.first { !$0.contains("=") } ?? ""
        let comment = plain.firstMatch(of: /\s+#\s.*$/)
        var order = comment.map { String(plain[..<$0.range.lowerBound]) } ?? plain
        let isBeside = order.hasSuffix("&") && !order.hasSuffix("&&")
        let verb = words.drop { $0 != program }.dropFirst().first ?? ""
        let isService =
            services.contains(program) && !["config", "ctl", "help", "keys"].contains(verb)
        guard isBeside || isService else { return plain + "\n" }
        if isBeside { order = String(order.dropLast()) }
        let start = "beside \(order)\n"
        if program == "lcp-bridge" { return start + "until_ready\n" }
        if program == "lcp-gateway" { return start + "until_served\n" }
        guard Self.workers.contains(program) else { return start }
        return "workers=$(workers)\n\(start)until_joined\n"
    }

    /// Lines that end with a backslash go on.
    private static func joined(_ lines: [String]) -> [String] {
        var joined: [String] = []
        var goesOn = false
        for line in lines {
            let isOpen = line.hasSuffix("\\")
            let part = isOpen ? String(line.dropLast()) : line
            if goesOn { joined[joined.count - 1] += part } else { joined.append(part) }
            goesOn = isOpen
        }
        return joined.filter { !$0.isEmpty }
    }

    private func staged(_ line: String) -> String {
        stage.reduce(line) { $0.replacing($1.written, with: $1.here) }
    }

    /// What runs beside the script ends with it, even with its death.
    private static let prologue = #"""
        set -Eeuo pipefail
        where=start pids=() names=() workers=0
        place() { where=$1; echo "== $1"; }
        fail() { echo "$where: $1"; exit 1; }
        trap 'status=$?; echo "$where: $BASH_COMMAND: $status"; exit "$status"' ERR
        trap 'kill -KILL "${pids[@]}" 2>/dev/null || :; wait' EXIT
        beside() {
            setpriv --pdeathsig KILL env "$@" >>"$HOME/beside.log" 2>&1 &
            pids+=($!) names+=("$1")
        }
        alive() { kill -0 "${pids[-1]}" 2>/dev/null || fail "${names[-1]} ended"; sleep 0.05; }
        workers() { lcp workers --json | grep -o '"program"' | wc -l || :; }
        until_ready() { until lcp status 2>/dev/null | grep -q '"lnd_state":"ready"'; do alive; done; }
        until_served() {
            until curl -sf "http://$LCP_GATEWAY_LISTEN/health" >/dev/null; do alive; done
        }
        until_joined() { until [ "$(workers)" -gt "$workers" ]; do alive; done; }
        finish() {
            for index in "${!pids[@]}"; do
                kill -0 "${pids[index]}" 2>/dev/null || wait "${pids[index]}" ||
                    fail "${names[index]} ended with $?"
            done
        }

        """#
}
