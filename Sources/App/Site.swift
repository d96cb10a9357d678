import Audit
import Catalog
import Exchange
import Identity
import Inbox
import Inventory
import Kernel
import Logging
import Sharing
import Storage
import Web

extension Node {
  /// Every address of the site, each with its door.
  var routes: [Route] {
    SharingRoutes.routes(sharing: sharing, cataloguing: cataloguing)
      + IdentityRoutes.routes(signIn: signIn, people: people, database: database, clock: clock)
      + InventoryRoutes.routes(register)
      + CatalogRoutes.routes(cataloguing)
      + ExchangeRoutes.routes(exchange: exchange)
      + AuditRoutes.routes(database: database, publicKey: keys.signer.publicKey)
  }
}
