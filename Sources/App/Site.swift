import Audit
import Catalog
import Census
import Exchange
import Feedback
import FrontNodes
import Idempotency
import Identity
import Inbox
import Inventory
import Kernel
import Logging
import Mounting
import NationalCrypto
import Sharing
import Storage
import Supervision
import Web
import WebServer

extension Node {
  /// Every address of the site, each with its door.
  var routes: [Route] {
    let others = contextRoutes
    let identity = { (tokens: Tokens) in
      IdentityRoutes.routes(
        signIn: signIn, people: people, tokens: tokens,
        offices: Organisations(database: database, clock: clock, nodes: classificationNodes),
        database: database, clock: clock)
    }
    // A token is offered what some address asks for.
    return others + identity(tokens.offering(Self.asked(by: others + identity(tokens))))
  }

  /// What a program can be asked for by these routes.
  private static func asked(by routes: [Route]) -> Set<Permission> {
    Set(
      routes.filter { $0.path.hasPrefix("/api/v1/") && !$0.givesSecret }
        .flatMap { $0.access.permissions + $0.widenedBy })
  }

  private var contextRoutes: [Route] {
    SharingRoutes.routes(
      sharing: sharing, attaching: RequestAttaching(sharing: sharing, attachments: attachments),
      cataloguing: cataloguing, headlines: headlines)
      + InventoryRoutes.routes(register)
      + FrontNodeRoutes.routes(frontNodes)
      + CatalogRoutes.routes(
        cataloguing, badges: [MountingRoutes.badge(mounting)],
        sections: [MountingRoutes.section(mounting), FeedbackRoutes.section(feedback)],
        tools: [FeedbackRoutes.tool])
      + FeedbackRoutes.routes(feedback)
      + MountingRoutes.routes(mounting)
      + CatalogImportRoutes.routes(cataloguing, desk: importDesk)
      + MoveRoutes.routes(cataloguing, desk: importDesk)
      + CatalogAttachmentRoutes.routes(Attaching(cataloguing: cataloguing, attachments: attachments))
      + CensusRoutes.routes(census, desk: ImportDesk(folder: settings.data + "/census"))
      + ExchangeRoutes.routes(exchange: exchange)
      + SupervisionRoutes.routes(supervision)
      + AuditRoutes.routes(database: database, publicKey: keys.signer.publicKey, words: Self.words, grants: Self.grants)
  }
}

extension Node {
  /// What a leader's home page begins with.
  private var headlines: SharingRoutes.Headlines {
    let supervision = supervision
    return { principal, language in
      guard principal.may(.superviseAsAuthority) || principal.may(.superviseAll) else { return [] }
      return try await SupervisionHeadlines.figures(supervision, for: principal, language)
    }
  }

  /// What Identity, which stands below the catalogue, needs to know of its tree.
  private var classificationNodes: ClassificationNodes {
    let classification = cataloguing.classification
    return ClassificationNodes { classification[$0] == nil ? nil : classification.title(of: $0) }
  }
}

extension Node {
  /// Who stands behind a cookie, and what waits for them.
  var sessions: SessionProvider {
    let (signIn, tokens, database) = (signIn, tokens, database)
    return SessionProvider(
      bearer: { try await tokens.resolve($0, from: $1) },
      keep: { form, person in
        try await signIn.keep(
          csrf: form.csrf, of: person, address: form.address, fields: form.fields,
          insteadOf: form.again.flatMap { KeptFormID($0) }
        ).map(IdentityRoutes.keptForm)
      },
      sent: { kept, person in
        if let id = KeptFormID(kept) { try await signIn.forget(id, of: person) }
      }
    ) { token, isPolling in
      guard let found = try await signIn.resolve(token: token, isPolling: isPolling) else { return nil }
      var waiting = 0
      if let principal = found.principal {
        waiting = try await database.read { try Inbox.count(for: principal, in: $0) }
      }
      return SessionInfo(
        principal: found.principal,
        view: SessionView(
          csrfToken: found.session.csrf, waiting: waiting, startedAt: found.session.createdAt,
          pendingStep: found.session.stage.address))
    }
  }

  /// Where the answers of POSTs wait for those who ask twice.
  private var answers: AnswerKeeper {
    let kept = KeptAnswers(database: database, clock: clock)
    return AnswerKeeper(
      claim: { owner, key, digest in
        switch try await kept.claim(owner, key, digest) {
        case .mine: .mine
        case .underWay: .underWay
        case .unknown: .unknown
        case .otherRequest: .otherRequest
        case .kept(let answer):
          .kept(.init(status: answer.status, type: answer.type, etag: answer.etag, body: answer.body))
        }
      },
      keep: { owner, key, answer in
        try await kept.keep(
          .init(status: answer.status, type: answer.type, etag: answer.etag, body: answer.body), owner, key)
      },
      release: { owner, key in try await kept.release(owner, key) },
      abandon: { owner, key in try await kept.abandon(owner, key) },
      attempt: { request in
        let witness = WriteWitness()
        return await WriteWitness.$current.withValue(witness) {
          do {
            return .init(outcome: .success(try await request()), mayHold: witness.mayHold)
          } catch {
            return .init(outcome: .failure(error), mayHold: witness.mayHold)
          }
        }
      })
  }

  func site(ready: @escaping @Sendable (Int) -> Void = { _ in }) -> SiteServer {
    var tls: (certificate: String, key: String)?
    if let certificate = settings.certificate, let key = settings.certificateKey { tls = (certificate, key) }
    let logger = settings.logger("sanjiang.web")
    var configuration = SiteServer.Configuration(
      host: settings.host, port: settings.port, tls: tls, trustedProxies: settings.trustedProxies)
    configuration.secret = deriveKey(from: keys.sealing, use: "sanjiang site")
    configuration.uploads = settings.data + "/uploads"
    configuration.explain = { ($0 as? StorageError)?.forPeople }
    configuration.words = { permission in Self.scopes.first { $0.permission == permission }?.title }
    return SiteServer(
      routes: routes, sessions: sessions, answers: answers, configuration: configuration, clock: clock, logger: logger,
      ready: ready)
  }
}
