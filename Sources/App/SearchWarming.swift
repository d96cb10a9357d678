import Catalog
import Logging
import ServiceLifecycle

/// Reads what search results are counted by, when the program starts and whenever much came at once: searches before it
/// are answered too, slower.
struct SearchWarming: Service {
  let cataloguing: Cataloguing

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var isCold = true
      while !Task.isCancelled {
        if isCold {
          do { try await cataloguing.warmSearch() } catch {
            Logger(label: "sanjiang").warning("search results are counted slowly", metadata: ["error": "\(error)"])
          }
        }
        try? await Task.sleep(for: .seconds(1))
        isCold = cataloguing.isSearchCold
      }
    }
  }
}
