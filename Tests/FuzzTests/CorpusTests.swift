import FuzzTargets
import Foundation
import Testing

/// What fuzzing found and began with is run by every test run, without a fuzzer.
@Suite struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

    @Test(arguments: FuzzTarget.allCases) func everyInputIsSurvived(target: FuzzTarget) throws {
        let inputs = try FileManager.default.contentsOfDirectory(
            at: Self.folder.appending(path: target.rawValue), includingPropertiesForKeys: nil)
        #expect(!inputs.isEmpty)
        for input in inputs { target.run([UInt8](try Data(contentsOf: input))) }
    }
}
