package import Kernel
package import Storage

/// Hears, in the transaction that changes it, what an entry says of where it really is: a draft that was begun or edited,
/// a version put in force, taken offline, brought back or discarded. `App` fills it in with Mounting's answer.
package struct MountWatch: Sendable {
  package var heard: @Sendable (_ resource: Resource, _ at: Instant, any Transaction) throws -> Void

  package init(heard: @escaping @Sendable (_ resource: Resource, _ at: Instant, any Transaction) throws -> Void) {
    self.heard = heard
  }

  package static let none = MountWatch { _, _, _ in }
}
