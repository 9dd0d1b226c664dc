using EditorBridge.Protocol.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace EditorBridge.Host.Services;

/// <summary>editorbridge.v1.AssetService. This version runs beside the editor, so files are given by path; uploads are refused by name.</summary>
internal sealed class AssetServiceEndpoint : AssetService.AssetServiceBase
{
    /// <inheritdoc/>
    public override Task<Asset> UploadAsset(IAsyncStreamReader<UploadAssetRequest> requestStream, ServerCallContext context) => throw NotBuilt();

    /// <inheritdoc/>
    public override Task<Asset> GetAsset(GetAssetRequest request, ServerCallContext context) => throw NotBuilt();

    /// <inheritdoc/>
    public override Task<Empty> DeleteAsset(DeleteAssetRequest request, ServerCallContext context) => throw NotBuilt();

    private static RpcException NotBuilt() =>
        Errors.Make(Code.Unimplemented, "NOT_BUILT", "Files cannot be uploaded in this version yet; give the path of a file on this machine.");
}
