namespace EditorBridge.Host.Tests;

/// <summary>Tensors live in the worker only: a native abort there must not be able to take the service or a plugin with it.</summary>
public class DependencyTests
{
    [Theory]
    [InlineData("EditorBridge.Host")]
    [InlineData("EditorBridge.Client")]
    public void No_torch_is_among_what_it_depends_on(string project)
    {
        var here = AppContext.BaseDirectory;
        var folder = Path.GetFullPath(Path.Combine(here, "..", "..", project, Path.GetFileName(Path.TrimEndingDirectorySeparator(here))));
        var file = Path.Combine(folder, project + ".deps.json");
        Assert.True(File.Exists(file), $"{file} is missing.");
        var text = File.ReadAllText(file);
        Assert.Contains("Google.Protobuf", text, StringComparison.Ordinal);
        Assert.DoesNotContain("torch", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("EditorBridge.Diffusion", text, StringComparison.Ordinal);
    }
}
