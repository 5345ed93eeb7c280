package import BridgeProtocol
import Foundation
package import LCPCore
import LCPWire
package import Settings
import SwiftProtobuf

// What the workers tell the bridge of themselves.

extension ProviderRules {
    /// What is sold, for the manifest (LCP v0.1 §5.1).
    ///
    /// - Returns: One capability a profile, sorted.
    /// - Throws: ``ConfigurationError`` when a profile's name can't be written.
    package func capabilities() throws(ConfigurationError) -> [BusCapability] {
        do throws(WireError) {
            return try prices.templates().map { template in
                .with {
                    $0.taskKind = template.taskKind
                    $0.profile = template.chatParams?.profile ?? ""
                    $0.templateParams = Data(template.params ?? [])
                }
            }
        } catch { throw ConfigurationError(.invalidValue, "a profile's name is too long") }
    }
}

extension ProviderSteps {
    /// The versions of LCP whose jobs this worker handles.
    package static let dialects = [Dialect.v01.rawValue]
}

extension RequesterSteps {
    /// The versions of LCP whose jobs this worker handles.
    package static let dialects = [Dialect.v01.rawValue]
}
