using System.Reflection;

namespace Microsoft.ML.Lacos.Evaluation;

/// <summary>ML.NET's own cross-validation loop, with a metric it does not know.</summary>
/// <remarks>
/// <see cref="TrainCatalogBase"/> keeps its loop and the constructor of its result to itself. Both are reached by name, so that splitting, seeding and sampling keys are
/// exactly those of <see cref="RegressionCatalog.CrossValidate"/>, and the result is the type its users know.
/// </remarks>
internal static class CrossValidation
{
    private const BindingFlags Instance = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DoNotWrapExceptions;

    /// <summary>Refuses more folds than rows: a fold without a row has nothing to measure on, and the loop makes room for all folds before it looks at the data.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The message says both numbers.</exception>
    public static void RequireRows(IDataView data, int numberOfFolds)
    {
        using DataViewRowCursor cursor = data.GetRowCursor([]);
        int rows = 0;
        while (rows < numberOfFolds && cursor.MoveNext())
        {
            rows++;
        }
        if (rows < numberOfFolds)
        {
            throw new ArgumentOutOfRangeException(nameof(numberOfFolds), numberOfFolds, $"The number of folds is {numberOfFolds} and the data has {rows} row(s); each fold needs a row to measure on. Give at most {rows} folds, or more data.");
        }
    }

    /// <summary>Fits the estimator once per fold and measures each model on the part it has not seen.</summary>
    public static TrainCatalogBase.CrossValidationResult<TMetrics>[] Run<TMetrics>(
        TrainCatalogBase catalog, IDataView data, IEstimator<ITransformer> estimator, int numberOfFolds, string? samplingKeyColumnName, int? seed, Func<IDataView, TMetrics> evaluate)
        where TMetrics : class
    {
        MethodInfo train = typeof(TrainCatalogBase).GetMethod("CrossValidateTrain", Instance, [typeof(IDataView), typeof(IEstimator<ITransformer>), typeof(int), typeof(string), typeof(int?)])
            ?? throw Missing("TrainCatalogBase.CrossValidateTrain");
        ConstructorInfo construct = typeof(TrainCatalogBase.CrossValidationResult<TMetrics>).GetConstructor(Instance, [typeof(ITransformer), typeof(TMetrics), typeof(IDataView), typeof(int)])
            ?? throw Missing("TrainCatalogBase.CrossValidationResult<T>'s constructor");

        var folds = (Array)train.Invoke(catalog, Instance, null, [data, estimator, numberOfFolds, samplingKeyColumnName, seed], null)!;
        var results = new TrainCatalogBase.CrossValidationResult<TMetrics>[folds.Length];
        for (int i = 0; i < folds.Length; i++)
        {
            object fold = folds.GetValue(i)!;
            var scored = (IDataView)Read(fold, "Scores");
            results[i] = (TrainCatalogBase.CrossValidationResult<TMetrics>)construct.Invoke(Instance, null, [Read(fold, "Model"), evaluate(scored), scored, Read(fold, "Fold")], null);
        }
        return results;
    }

    private static object Read(object fold, string name) =>
        fold.GetType().GetField(name, Instance)?.GetValue(fold)
        ?? fold.GetType().GetProperty(name, Instance)?.GetValue(fold)
        ?? throw Missing($"TrainCatalogBase.CrossValidationResult.{name}");

    private static MissingMemberException Missing(string member) =>
        new($"Microsoft.ML {typeof(MLContext).Assembly.GetName().Version} has no {member}, which cross-validation needs. Use Microsoft.ML 5.");
}
