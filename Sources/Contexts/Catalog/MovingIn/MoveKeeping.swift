internal import Identity
internal import Inventory
internal import Kernel
internal import Storage

// Keeping what moves in: its versions, from when until when each was in force, and what is in force from now on.

extension Mover {
  /// Keeps an entry that is new here; `last` is its last version as it will stand.
  mutating func keep(_ versions: [MoveCandidate], as last: Resource, in tx: any Transaction) throws -> Resource {
    let standing = standing(versions, last)
    if trial != nil {
      let names = Set([standing.map { versions[$0] }, versions.last].compactMap { $0?.metadata.name })
      let isOffered = standing.map { versions[$0].state != .withdrawn } ?? false
      trial?.note(
        last.id, code: last.code,
        names: Set(names.map { NameKey(provider: last.provider, folded: foldedForSearch($0)) }), isOffered: isOffered)
      return last
    }
    var kept: [Resource] = []
    var items: [String: ItemID] = [:]
    for (index, one) in versions.enumerated() {
      var version = last
      version.version = index + 1
      if index < versions.count - 1 {
        version.metadata = one.metadata
        version.items = one.items
        // Versions before the last were in force once, whatever they are called there.
        version.state = index == standing ? .published : .superseded
        if index == standing { version.online = one.state == .withdrawn ? .offline : .online }
        version.publishedOn = one.publishedOn ?? one.events.last?.at.dateInChina
      }
      version.items = version.items.map { item in
        var item = item
        let key = item.column.isEmpty ? item.name : item.column
        item.id = items[key] ?? item.id
        items[key] = item.id
        return item
      }
      try CatalogStore.insert(version, in: tx)
      try MoveStore.insert(one.events, of: version, organisation: version.providerName, in: tx)
      kept.append(version)
    }
    let periods = periods(versions, standing: standing.map { kept[$0] })
    try CatalogStore.insert(periods, of: last.id, in: tx)
    if let standing, standing < versions.count - 1 {
      try enforce(kept[standing], replacing: nil, since: since(kept[standing], periods), in: tx)
    }
    let newest = kept[kept.count - 1]
    try enforce(newest, replacing: nil, since: since(newest, periods), in: tx)
    return newest
  }

  /// Which of an entry's versions counts: the last, or while that is being written, the one before it that was in force.
  private func standing(_ versions: [MoveCandidate], _ last: Resource) -> Int? {
    if last.state == .published { return versions.count - 1 }
    guard last.code != nil else { return nil }
    return versions.dropLast().lastIndex {
      [.published, .withdrawn].contains($0.state) && !$0.metadata.sharingType.isEmpty
    }
  }

  /// From when until when each version was in force, up to the one that counts. A version of before whose day is not known
  /// has no period; one that counts without a day begins now.
  private func periods(_ versions: [MoveCandidate], standing: Resource?) -> [ForcePeriod] {
    var periods: [ForcePeriod] = []
    for (index, one) in versions.enumerated() {
      let counts = index + 1 == standing?.version
      guard index + 1 <= standing?.version ?? versions.count, let day = published(one) ?? (counts ? now : nil) else {
        continue
      }
      var from = min(day, now)
      if let before = periods.last {
        from = max(from, before.from)
        periods[periods.count - 1].until = from
      }
      periods.append(ForcePeriod(version: index + 1, from: from, until: nil))
    }
    guard standing?.online.isOnline != true, let last = periods.last else { return periods }
    let ended = versions[last.version - 1].events.last { $0.event == OnlineEvent.takeDown.rawValue }?.at ?? now
    periods[periods.count - 1].until = max(last.from, min(ended, now))
    return periods
  }

  /// When a version was published there: to the second by its history, else the day's beginning.
  private func published(_ one: MoveCandidate) -> Instant? {
    let moment = one.events.last { $0.event == VersionEvent.publish.rawValue }?.at
    if let moment, one.publishedOn == nil || moment.dateInChina == one.publishedOn { return moment }
    return one.publishedOn?.startInChina
  }

  private func since(_ resource: Resource, _ periods: [ForcePeriod]) -> Instant {
    guard let last = periods.last, last.version == resource.version else { return now }
    return last.until ?? last.from
  }

  /// Makes a published version the one that counts, in place of the one that counted, and offers it unless it is offline.
  /// Followers of the catalogue hear of what is registered, offered and no longer offered.
  private func enforce(
    _ resource: Resource, replacing before: Resource?, since: Instant, in tx: any Transaction
  ) throws {
    if [.approved, .published].contains(resource.state), let code = resource.code {
      try CatalogStore.setCode(code, of: resource.id, in: tx)
    }
    if resource.state == .approved { try Likeness.putOpen(resource, in: tx) }
    if resource.state == .published {
      try Likeness.removeOpen(resource.id, in: tx)
      let wasOnline = before?.online.isOnline ?? false
      if let before, wasOnline { try Likeness.remove(before, in: tx) }
      try CatalogStore.issue(
        resource.version, of: resource.id, online: resource.online,
        since: before?.online == resource.online ? nil : since,
        at: now, in: tx)
      if resource.online.isOnline {
        try cataloguing.offer(resource, replacing: before, on: now.dateInChina, in: tx)
      } else if wasOnline {
        try CatalogSearch.remove(resource.id, in: tx)
        try cataloguing.left(resource, now, tx)
      }
      if resource.online.isOnline || wasOnline { try ChangeFeed.tellOnline(of: resource, at: now, in: tx) }
    } else if resource.state == .approved {
      try ChangeFeed.tell(.approve, of: resource, at: now, in: tx)
    }
    try cataloguing.mountWatch.heard(resource, now, tx)
  }

  /// What a later export says otherwise: in the draft itself, or as the next version of what is in force. Nil when
  /// somebody changed the entry here.
  mutating func keep(
    _ target: Resource, over known: MoveStore.Moved, _ here: Resource?, in tx: any Transaction
  ) throws -> Resource? {
    guard let here, here.version == known.version, here.revision == known.revision, here.changedAt <= known.at,
      try CatalogStore.onlineSince(known.resource, in: tx).map({ $0 <= known.at }) ?? true
    else { return nil }
    let issued = try CatalogStore.issued(known.resource, in: tx)
    // Items that mean the same column stay the same.
    let ids = Dictionary(
      here.items.map { ($0.column.isEmpty ? $0.name : $0.column, $0.id) }, uniquingKeysWith: { first, _ in first })
    var next = target
    next.id = here.id
    next.code = here.code ?? target.code
    if next.state != .published { next.online = here.online }
    next.items = target.items.map { item in
      var item = item
      item.id = ids[item.column.isEmpty ? item.name : item.column] ?? item.id
      return item
    }
    let isTakenDown =
      here.state == .published && here.online.isOnline && next.state == .published && !next.online.isOnline
    if trial != nil { return try suppose(next, over: here, issued, isTakenDown: isTakenDown) }
    if here.state.isEditable {
      (next.version, next.revision) = (here.version, here.revision)
      let state = next.state
      next.state = here.state
      guard try CatalogStore.update(next, from: here.revision, in: tx) else { return nil }
      next.revision += 1
      if state != next.state {
        try CatalogStore.move(next, to: state, at: now, publishedOn: next.publishedOn, in: tx)
        next.state = state
      }
    } else if isTakenDown {
      return try takeDown(here, in: tx)
    } else {
      if here.state == .approved {
        // It waited to be published, and is the last one no more.
        try CatalogStore.move(here, to: here.state.applying(.supersede), at: now, in: tx)
        try CatalogStore.record(VersionEvent.supersede.rawValue, of: here, by: principal, at: now, in: tx)
        try Likeness.removeOpen(here.id, in: tx)
      }
      next.version = here.version + 1
      next.revision = here.revision + 1
      try CatalogStore.insert(next, in: tx)
      try Attaching.carryOver([next], from: [here.id: here.version], at: now, in: tx)
    }
    if next.state == .published, let issued {
      try CatalogStore.move(issued, to: issued.state.applying(.supersede), at: now, in: tx)
      try CatalogStore.record(VersionEvent.supersede.rawValue, of: issued, by: principal, at: now, in: tx)
    }
    try enforce(next, replacing: issued, since: now, in: tx)
    return next
  }

  /// What a trial knows from then on of an entry that the run would change.
  private mutating func suppose(
    _ next: Resource, over here: Resource, _ issued: Resource?, isTakenDown: Bool
  ) throws -> Resource {
    var next = next
    if isTakenDown {
      next = here
      next.online = try here.online.applying(.takeDown)
    }
    let counts = next.state == .published ? next : issued
    // A draft gets its code when it is registered.
    let isRegistered = [.approved, .published].contains(next.state)
    trial?.note(
      next.id, code: isRegistered ? next.code : here.code,
      names: Set([next, counts].compactMap { $0.map(NameKey.init) }),
      isOffered: counts?.online.isOnline ?? false)
    return next
  }

  /// Takes offline what was taken offline there.
  private func takeDown(_ here: Resource, in tx: any Transaction) throws -> Resource {
    let online = try here.online.applying(.takeDown)
    try CatalogStore.setOnline(online, of: here, at: now, due: nil, in: tx)
    try Likeness.remove(here, in: tx)
    try CatalogSearch.remove(here.id, in: tx)
    try cataloguing.left(here, now, tx)
    var moved = here
    moved.online = online
    try cataloguing.mountWatch.heard(moved, now, tx)
    try CatalogStore.record(
      OnlineEvent.takeDown.rawValue, of: here, by: principal, at: now, words: mapping.title, in: tx)
    try ChangeFeed.tellOnline(of: moved, at: now, in: tx)
    return moved
  }
}
