package import Kernel

/// How this context asks whether a service answers. `App` fills it in with its HTTP client, which calls declared hosts only.
package struct ServiceProbe: Sendable {
  /// What came back.
  package struct Answer: Hashable, Sendable {
    package var status: Int
    package var isJSON: Bool

    package init(status: Int, isJSON: Bool) {
      self.status = status
      self.isJSON = isJSON
    }
  }

  /// Why an address may not be called at all; nil when it may.
  package var fault: @Sendable (_ url: String) -> Text?
  /// Throws a refusal that says why nobody answered.
  package var get: @Sendable (_ url: String) async throws -> Answer

  package init(
    fault: @escaping @Sendable (_ url: String) -> Text?, get: @escaping @Sendable (_ url: String) async throws -> Answer
  ) {
    self.fault = fault
    self.get = get
  }

  /// Calls nobody.
  package static let none = ServiceProbe(
    fault: { _ in closed }, get: { _ in throw Refusal(.forbidden, "mounting.host", closed) })

  private static let closed = Text("本节点没有声明可以访问的接口主机。", "This node declares no host whose services may be called.")
}
