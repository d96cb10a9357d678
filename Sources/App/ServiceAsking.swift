import Foundation
import Kernel
import Mounting
import Probing

extension ServiceProbe {
  /// Mounts of services are tested by really asking them.
  static func asking(_ client: ServiceClient) -> ServiceProbe {
    ServiceProbe(
      fault: { url in
        do {
          try client.admit(url)
          return nil
        } catch {
          return (error as? Refusal)?.message
        }
      },
      get: { url in
        let answer = try await client.get(url)
        return Answer(status: answer.status, isJSON: answer.isJSON)
      })
  }
}

extension ServiceAnswer {
  /// Whether the body is JSON. Of one that is longer than what was read, that its type says so and that it begins so.
  var isJSON: Bool {
    guard isWhole else {
      let first = body.first { !Set(" \t\r\n".utf8).contains($0) }
      let saysSo = type == "application/json" || type.hasSuffix("+json")
      return saysSo && (first == UInt8(ascii: "{") || first == UInt8(ascii: "["))
    }
    return (try? JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed)) != nil
  }
}
