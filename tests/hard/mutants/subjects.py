"""The tests that are about a file: files of tests, and single ones."""

KMEANS, GMM, RULES = "tests/test_kmeans.py", "tests/test_gmm.py", "tests/test_rules.py"
MODELS, PLOT, REFRESH = "tests/test_models.py", "tests/test_plot.py", "tests/test_refresh.py"
SWEEP, TREE = "tests/test_sweep.py", "tests/test_tree.py"
MATCHES = tuple(
    f"{REFRESH}::test_{name}"
    for name in (
        "matches_are_the_least_of_all_assignments",
        "centres_on_other_scales_are_compared_in_their_own_unit",
        "a_refit_is_lloyds_from_the_centres_before",
        "a_mixture_goes_on_from_where_it_was",
        "a_recentred_model_assigns_alike",
        "the_sql_door_matches_and_renumbers",
        "a_refresh_keeps_numbers_and_tells_who_moved",
        "more_segments_come_after_those_that_were_there",
    )
)
P_VALUES = tuple(
    f"{RULES}::test_{name}"
    for name in (
        "p_values_of_all_small_tables_are_exact",
        "p_values_of_large_tables_are_those_of_scipy",
        "p_values_where_nothing_is_left_to_chance",
        "the_more_orders_hold_both_the_smaller_the_p_value",
        "a_p_value_of_an_unknown_count_is_unknown",
        "counts_are_taken_up_to_their_bounds_and_no_further",
    )
)
HYPER_LIFTS = (
    f"{RULES}::test_hyper_lift_is_by_the_quantile_of_scipy",
    f"{RULES}::test_a_quantile_that_is_reached_exactly_counts",
    f"{RULES}::test_a_hyper_lift_of_an_unknown_count_is_unknown",
    f"{RULES}::test_counts_are_taken_up_to_their_bounds_and_no_further",
)
NORMAL_TAIL = f"{RULES}::test_the_normal_tail_is_that_of_scipy"
SCORING = (
    f"{KMEANS}::test_sql_and_udf_assign_alike",
    f"{KMEANS}::test_each_row_is_assigned_by_its_own_model",
    f"{KMEANS}::test_null_features_have_no_segment",
    f"{KMEANS}::test_assign_refuses_what_does_not_fit",
    f"{GMM}::test_sql_scores_like_scikit_learn",
    f"{GMM}::test_scoring_refuses_what_does_not_fit",
)
WHOLE_MODELS = (
    f"{MODELS}::test_what_is_wrong_with_a_model_is_told_and_it_is_not_gone_on_from",
    f"{MODELS}::test_departments_tell_features_of_one_name_apart",
    f"{MODELS}::test_k_means_has_no_precisions",
    f"{KMEANS}::test_check_model_says_what_is_wrong",
)
MESSAGES = "tests/test_error_texts.py::test_a_message_is_got_and_says"

TESTS: dict[str, tuple[str, ...]] = {
    "udfs/arrow.py": (
        *SCORING, f"{KMEANS}::test_group_by_gives_one_model_per_group",
        f"{KMEANS}::test_fit_refuses_what_it_cannot_do",
        f"{KMEANS}::test_fit_refuses_an_empty_table",
        f"{GMM}::test_group_by_gives_one_mixture_per_group",
        f"{SWEEP}::test_a_sweep_says_what_a_fit_says",
        f"{SWEEP}::test_a_sweep_refuses_what_it_cannot_do", *MATCHES, TREE, MESSAGES,
    ),
    "udfs/assign.py": (*SCORING, MESSAGES),
    "udfs/gmm.py": (GMM, *MATCHES),
    "udfs/kmeans.py": (KMEANS, *MATCHES),
    "udfs/matching.py": MATCHES,
    "udfs/model.py": (*WHOLE_MODELS, KMEANS, *MATCHES),
    "udfs/points.py": (KMEANS, GMM),
    "udfs/projection.py": (f"{PLOT}::test_principal_components_are_those_of_scikit_learn",
        f"{PLOT}::test_components_by_hand", f"{PLOT}::test_components_need_finite_points",
        f"{PLOT}::test_components_of_points_that_hardly_differ"),
    "udfs/sweep.py": (SWEEP, MESSAGES),
    "udfs/tree.py": (TREE,),
    "udfs/tree_text.py": (TREE,),
    "sql/baskets/association_rules.sql": (RULES,),
    "sql/baskets/fisher_p_value.sql": (*P_VALUES, MESSAGES),
    "sql/baskets/hyper_lift.sql": (*HYPER_LIFTS, MESSAGES),
    "sql/baskets/hypergeometric_tail.sql": (*P_VALUES, *HYPER_LIFTS),
    "sql/baskets/measured_rules.sql": (RULES,),
    "sql/baskets/normal_tail.sql": (NORMAL_TAIL, MESSAGES),
    "sql/baskets/rule_improvements.sql": (RULES,),
    "sql/segments/assign.sql": (*SCORING, MESSAGES),
    "sql/segments/check_model.sql": WHOLE_MODELS,
    "sql/segments/distances.sql": (*SCORING, MESSAGES),
    "sql/segments/log_densities.sql": (*SCORING, MESSAGES),
    "sql/segments/probabilities.sql": (*SCORING, MESSAGES),
}  # fmt: skip

# of these only what is left after all the others is tried: they are most of the time
SLOW = (
    f"{KMEANS}::test_beyond_the_sample_any_number_of_threads_gives_the_same_bits",
    f"{GMM}::test_any_number_of_threads_gives_the_same_bits",
    f"{SWEEP}::test_candidates_stay_with_their_run",
    f"{SWEEP}::test_run_finds_the_planted_customers",
    f"{SWEEP}::test_run_says_that_there_are_no_segments",
    f"{TREE}::test_any_name_and_text_reads_back",
    f"{TREE}::test_the_complete_journey_in_a_plain_process",
    f"{TREE}::test_the_sql_does_what_the_tree_says_in_a_plain_process",
    MESSAGES,
)
