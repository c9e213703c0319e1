-- How the features are distributed, so that drift can be measured when these rows are
--      gone.
create temp table custseg_run_feature_histograms as
from custseg.feature_histograms('temp.main.custseg_run_drifting_features');
