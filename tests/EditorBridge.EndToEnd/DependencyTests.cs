using System.Text.Json;

namespace EditorBridge.EndToEnd;

/// <summary>What has to stay thin: the networks' libraries belong to the worker alone.</summary>
public class DependencyTests
{
    [Theory]
    [InlineData("EditorBridge.Host", "EditorBridge.Host")]
    [InlineData("EditorBridge.Cli", "editorbridge")]
    [InlineData("EditorBridge.Client", "EditorBridge.Client")]
    [InlineData("EditorBridge.Native", "EditorBridge.Native")]
    public void No_networks_in(string project, string assembly)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory);
        var file = Path.Combine(configuration.Parent!.Parent!.FullName, project, configuration.Name, assembly + ".deps.json");
        using var parsed = JsonDocument.Parse(File.ReadAllBytes(file));
        var libraries = parsed.RootElement.GetProperty("libraries").EnumerateObject().Select(library => library.Name).ToList();
        Assert.Contains(libraries, library => library.StartsWith(project + "/", StringComparison.Ordinal) || library.StartsWith(assembly + "/", StringComparison.Ordinal));
        Assert.DoesNotContain(libraries, library => library.StartsWith("TorchSharp", StringComparison.OrdinalIgnoreCase) || library.StartsWith("libtorch", StringComparison.OrdinalIgnoreCase));
    }
}
