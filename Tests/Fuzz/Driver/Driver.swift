import CFuzzer
import Foundation
import FuzzTargets

/// One fuzz target under libFuzzer: `lcp-fuzz TARGET [libFuzzer's options] CORPUS...`.
@main
enum Driver {
    static func main() {
        var arguments = CommandLine.arguments
        guard arguments.count > 1, let target = FuzzTarget(rawValue: arguments.remove(at: 1)) else {
            let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
            FileHandle.standardError.write(Data("lcp-fuzz: name a target: \(names)\n".utf8))
            exit(64)
        }
        // libFuzzer's callback takes no context, so the target travels in the environment.
        setenv(variable, target.rawValue, 1)
        // Never freed: libFuzzer keeps them until the process ends.
        var argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = .allocate(
            capacity: arguments.count + 1
        )
        for (index, argument) in arguments.enumerated() { argv?[index] = strdup(argument) }
        argv?[arguments.count] = nil
        var argc = Int32(arguments.count)
        exit(LLVMFuzzerRunDriver(&argc, &argv, runOne))
    }

    fileprivate static let variable = "LCP_FUZZ_TARGET"
    fileprivate static let target = getenv(variable).flatMap {
        FuzzTarget(rawValue: String(cString: $0))
    }
}

private func runOne(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    do throws(FuzzFinding) {
        try Driver.target?.run(Array(UnsafeBufferPointer(start: data, count: size)))
    } catch {
        // Only a crash makes libFuzzer keep the input.
        fatalError("\(error)")
    }
    return 0
}
