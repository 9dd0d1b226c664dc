namespace EditorBridge.Models.Store;

/// <summary>A published model that can be fetched by name.</summary>
/// <param name="Name">Its name here, such as <c>wan2.2-ti2v-5b</c>.</param>
/// <param name="Title">How its authors call it.</param>
/// <param name="Repository">Owner and repository at the hub.</param>
/// <param name="License">SPDX name of the weights' licence, after the authors' own READMEs.</param>
public sealed record CatalogueEntry(string Name, string Title, string Repository, string License)
{
    private const string Apache = "Apache-2.0";

    /// <summary>The official repositories of the Wan family in Diffusers layout.</summary>
    public static readonly IReadOnlyList<CatalogueEntry> All =
    [
        new("wan2.2-ti2v-5b", "Wan 2.2 TI2V-5B", "Wan-AI/Wan2.2-TI2V-5B-Diffusers", Apache),
        new("wan2.1-vace-1.3b", "Wan 2.1 VACE-1.3B", "Wan-AI/Wan2.1-VACE-1.3B-diffusers", Apache),
        new("wan2.1-t2v-1.3b", "Wan 2.1 T2V-1.3B", "Wan-AI/Wan2.1-T2V-1.3B-Diffusers", Apache),
        new("wan2.1-t2v-14b", "Wan 2.1 T2V-14B", "Wan-AI/Wan2.1-T2V-14B-Diffusers", Apache),
        new("wan2.1-i2v-14b-480p", "Wan 2.1 I2V-14B 480P", "Wan-AI/Wan2.1-I2V-14B-480P-Diffusers", Apache),
        new("wan2.1-i2v-14b-720p", "Wan 2.1 I2V-14B 720P", "Wan-AI/Wan2.1-I2V-14B-720P-Diffusers", Apache),
        new("wan2.1-flf2v-14b-720p", "Wan 2.1 FLF2V-14B 720P", "Wan-AI/Wan2.1-FLF2V-14B-720P-diffusers", Apache),
        new("wan2.1-vace-14b", "Wan 2.1 VACE-14B", "Wan-AI/Wan2.1-VACE-14B-diffusers", Apache),
        new("wan2.2-t2v-a14b", "Wan 2.2 T2V-A14B", "Wan-AI/Wan2.2-T2V-A14B-Diffusers", Apache),
        new("wan2.2-i2v-a14b", "Wan 2.2 I2V-A14B", "Wan-AI/Wan2.2-I2V-A14B-Diffusers", Apache),
    ];

    /// <summary>The entry of a name, or of a repository; null when there is none.</summary>
    /// <param name="nameOrRepository">In whatever case.</param>
    public static CatalogueEntry? Find(string nameOrRepository) => All.FirstOrDefault(entry =>
        entry.Name.Equals(nameOrRepository, StringComparison.OrdinalIgnoreCase) || entry.Repository.Equals(nameOrRepository, StringComparison.OrdinalIgnoreCase));
}
