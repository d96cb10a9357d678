import Audit
import Calendars
package import Catalog
import Deadlines
import Inbox
package import Kernel
import Storage

extension Feedback {
  /// Asks an entry's department something, which every reader of the catalogue may read; `follows` is the first question
  /// of the thread it goes on with.
  package func ask(
    _ words: String, about resource: ResourceID, follows: QuestionID? = nil, formKey: String? = nil,
    by principal: Principal
  ) async throws -> Question {
    let (person, office) = try speaker(principal, .feedbackSpeak)
    let now = clock.now()
    try Self.checkFormKey(formKey)
    try Self.checkWords(words, "words")
    return try await database.write { tx in
      if let formKey, let sent = try QuestionStore.find(formKey: formKey, of: person, in: tx) {
        guard sent.words == words, sent.resource == resource else {
          throw Refusal(
            .conflict, "feedback.question.sent",
            Text("这张表单已经提交过，后来的修改没有保存。", "This form was sent before; what was changed since is not kept."))
        }
        return sent
      }
      let entry = try entry(resource, for: office, in: tx)
      // Sent by a form that was opened anew: it is the same question, and waits already.
      if let open = try QuestionStore.open(words, of: resource, follows: follows, by: person, in: tx) { return open }
      let sent = try QuestionStore.count(
        by: person, since: Self.dayBefore(now), most: Self.limits.questionsADay, in: tx)
      try Self.checkRate(sent, most: Self.limits.questionsADay)
      let id = QuestionID.make(at: now)
      if let follows { try checkThread(follows, of: resource, in: tx) }
      let rule = RuleSet.inForce(on: now.dateInChina, of: rules)["question.reply"]
      let calendar = try calendars.inForce(tx)
      let question = Question(
        id: id, root: follows ?? id, resource: resource, resourceName: entry.metadata.name, provider: entry.provider,
        providerName: entry.providerName, asker: office, askerName: principal.organisationName, askedBy: person,
        askedByName: principal.name, words: words,
        due: rule.map { calendar.due(from: now.dateInChina, workingDays: $0.value, rule: $0.reference) },
        createdAt: now)
      try QuestionStore.insert(question, formKey: formKey, in: tx)
      try Inbox.post(
        InboxTask(
          kind: "question.answer",
          title: Text(
            "答复咨询：\(question.askerName) · \(question.resourceName)",
            "Answer a question: \(question.askerName) · \(question.resourceName)"),
          link: question.link, for: .office(question.provider, .feedbackAnswer), subject: ("question", id.text),
          due: question.due?.date, isProvisional: question.due?.provisional ?? false, at: now), in: tx)
      try record("feedback.question.ask", question, words, by: principal, at: now, in: tx)
      return question
    }
  }

  /// Answers for the entry's department, once.
  package func answer(_ id: QuestionID, _ words: String, by principal: Principal) async throws -> Question {
    try principal.require(.feedbackAnswer)
    let now = clock.now()
    try Self.checkWords(words, "answer")
    return try await database.write { tx in
      guard var question = try QuestionStore.find(id, in: tx) else { throw Self.noQuestion }
      try principal.require(.feedbackAnswer, in: question.provider)
      guard try question.answer == nil && QuestionStore.answer(id, words, by: principal.name, at: now, in: tx) else {
        throw Refusal(
          .conflict, "feedback.question.answered",
          Text(
            "\(question.answer?.by ?? "同事")已经答复过，答复不能修改。",
            "\(question.answer?.by ?? "A colleague") has answered already; an answer is not changed."
          ))
      }
      question.answer = Question.Answer(words: words, by: principal.name, at: now)
      try Inbox.close(subject: "question", id.text, by: principal, at: now, in: tx)
      try Inbox.notify(
        Notice(
          kind: "question.answered",
          title: Text("咨询已答复：\(question.resourceName)", "Your question was answered: \(question.resourceName)"),
          link: question.link, for: .person(question.askedBy), subject: ("question", id.text), at: now), in: tx)
      try record("feedback.question.answer", question, words, by: principal, at: now, in: tx)
      return question
    }
  }

  package func question(_ id: QuestionID, for principal: Principal) async throws -> Question {
    try principal.require(.readCatalog)
    return try await database.read { tx in
      guard let question = try QuestionStore.find(id, in: tx) else { throw Self.noQuestion }
      return question
    }
  }

  /// The threads of an entry, newest first.
  package func questions(
    about resource: ResourceID, before: QuestionID? = nil, limit: Int, for principal: Principal
  ) async throws -> [[Question]] {
    try principal.require(.readCatalog)
    return try await database.read { tx in
      try QuestionStore.threads(of: resource, before: before, limit: limit, in: tx)
    }
  }

  // MARK: - Parts

  private static let noQuestion = Refusal.notFound(Text("咨询", "question"))

  static func checkWords(_ words: String, _ field: String) throws {
    var faults: [Refusal.Fault] = []
    checkText(words, field, limits.words, &faults)
    guard faults.isEmpty else { throw Refusal.invalid("feedback.words", faults) }
  }

  private func checkThread(_ root: QuestionID, of resource: ResourceID, in tx: any Transaction) throws {
    guard let first = try QuestionStore.find(root, in: tx), first.root == root, first.resource == resource else {
      throw Self.noQuestion
    }
    guard try QuestionStore.length(ofThread: root, of: resource, in: tx) < QuestionStore.mostInAThread else {
      throw Refusal(
        .conflict, "feedback.question.long",
        Text(
          "一个话题最多 \(QuestionStore.mostInAThread) 问，请另起一问。",
          "A thread has at most \(QuestionStore.mostInAThread) questions; begin another."))
    }
  }

  private func record(
    _ action: String, _ question: Question, _ words: String, by principal: Principal, at now: Instant,
    in tx: any Transaction
  ) throws {
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: action, subjectKind: "question", subject: question.id.text,
        subjectName: question.resourceName, detail: [("resource", question.resource.text), ("words", words)]), in: tx)
  }
}

extension Question {
  var link: String { "/feedback/resources/\(resource)#question-\(id)" }
}
